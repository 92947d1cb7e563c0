"""The official Python clients of OpenAI and Google understand our loopback server.

The tests of contra4 itself talk to that server; this one says that the server's idea of both
protocols is theirs: their clients parse its replies strictly and raise on what they do not know.
"""

import base64
import unittest

import openai
from google import genai
from google.genai import types

from processes import ROOT, loopback_server

PROMPT = "Scene A: a dog\nScene B: a cat\nWhich scene barks?"
PICTURE = ROOT / "data" / "mini" / "media" / "image" / "101.jpg"
SOUND = ROOT / "data" / "mini" / "media" / "audio" / "dog.wav"


def encoded(path):
    return base64.b64encode(path.read_bytes()).decode()


class OpenAiTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.url = cls.enterClassContext(loopback_server())
        cls.client = openai.OpenAI(base_url=f"{cls.url}/v1", api_key="unused", max_retries=0)
        cls.addClassCleanup(cls.client.close)

    def chat(self, content=PROMPT, **options):
        return self.client.chat.completions.create(
            model="loopback", messages=[{"role": "user", "content": content}], **options)

    def test_chat_completion(self):
        reply = self.chat(temperature=0, max_tokens=20, seed=1)
        self.assertEqual(reply.model, "loopback")
        self.assertIn(reply.choices[0].message.content, ("Scene A", "Scene B"))
        self.assertEqual(reply.choices[0].finish_reason, "stop")
        self.assertEqual(reply.usage.total_tokens,
                         reply.usage.prompt_tokens + reply.usage.completion_tokens)

    def test_logprobs_of_the_letters(self):
        reply = self.chat(logprobs=True, top_logprobs=4, max_tokens=1)
        (token,) = reply.choices[0].logprobs.content
        self.assertEqual(token.token, reply.choices[0].message.content)
        self.assertEqual({top.token for top in token.top_logprobs}, {"A", "B"})
        self.assertEqual(max(token.top_logprobs, key=lambda top: top.logprob).token, token.token)

    def test_answer_restricted_by_a_schema(self):
        schema = {"type": "object", "additionalProperties": False, "required": ["answer"],
                  "properties": {"answer": {"type": "string", "enum": ["A", "B"]}}}
        reply = self.chat(response_format={
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": schema}})
        self.assertRegex(reply.choices[0].message.content, r'^\{"answer": "[AB]"\}$')

    def test_picture_and_sound_parts(self):
        reply = self.chat([
            {"type": "text", "text": "Scene A:"},
            {"type": "image_url",
             "image_url": {"url": f"data:image/jpeg;base64,{encoded(PICTURE)}"}},
            {"type": "text", "text": "Scene B:"},
            {"type": "input_audio", "input_audio": {"data": encoded(SOUND), "format": "wav"}}])
        self.assertIn(reply.choices[0].message.content, ("Scene A", "Scene B"))

    def test_completion(self):
        reply = self.client.completions.create(model="loopback", prompt=PROMPT, max_tokens=5)
        self.assertIn(reply.choices[0].text, (" Scene A", " Scene B"))

    def test_model_list(self):
        self.assertTrue([model.id for model in self.client.models.list()])

    def test_failures_raise_the_exceptions_they_are_meant_to(self):
        with loopback_server("--failure-rate", "1") as url:
            client = openai.OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0)
            self.addCleanup(client.close)
            seen = set()
            for number in range(40):
                try:
                    client.chat.completions.create(
                        model="loopback", messages=[{"role": "user", "content": str(number)}])
                    seen.add("answered")
                except openai.OpenAIError as error:
                    seen.add(type(error).__name__)
            self.assertIn("RateLimitError", seen)
            self.assertIn("InternalServerError", seen)
            self.assertIn("APIConnectionError", seen)


class GeminiTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        url = cls.enterClassContext(loopback_server())
        cls.client = genai.Client(api_key="unused",
                                  http_options=types.HttpOptions(base_url=url))

    def test_text(self):
        reply = self.client.models.generate_content(model="loopback", contents=PROMPT)
        self.assertIn(reply.text, ("Scene A", "Scene B"))
        self.assertEqual(reply.candidates[0].finish_reason, types.FinishReason.STOP)
        self.assertEqual(reply.usage_metadata.total_token_count,
                         reply.usage_metadata.prompt_token_count
                         + reply.usage_metadata.candidates_token_count)

    def test_inline_data(self):
        reply = self.client.models.generate_content(
            model="loopback",
            contents=["Scene A: ", types.Part.from_bytes(data=PICTURE.read_bytes(),
                                                         mime_type="image/jpeg"),
                      "Scene B: ", types.Part.from_bytes(data=SOUND.read_bytes(),
                                                         mime_type="audio/wav"),
                      "Which scene barks? Answer:"],
            config=types.GenerateContentConfig(temperature=0, max_output_tokens=20, seed=1))
        self.assertIn(reply.text, ("Scene A", "Scene B"))


if __name__ == "__main__":
    unittest.main()
