#include "contra4/apps/finetune_flags.h"

#include <limits>

#include "contra4/apps/arguments.h"
#include "contra4/apps/shown_input.h"

namespace contra4::apps {

namespace {

constexpr int kMaxThreads = 1024;
constexpr int kMaxLoraRank = 4096;
constexpr std::int64_t kMaxBatch = 100'000;

void add_data_flags(CLI::App& app, FinetuneFlags& flags) {
  app.option_defaults()->group("What is learnt from");
  app.add_option("--data", flags.data,
                 "questions with answers: .json, .jsonl (both also .gz) or .parquet, one or "
                 "several [default: train_unanimous_permute_filter.json, or .json.gz, in "
                 "CONTRA4_RELEASE or data/final_data]")
      ->type_name("FILE...");
  app.add_option("--val", flags.validation,
                 "questions that the model is evaluated on meanwhile, one file or several")
      ->type_name("FILE...");
  add_media_file_flags(app, flags.media_root, flags.skip_missing_media);
  app.add_option("--datasets", flags.datasets,
                 "of no effect, as in the published script: --data says what is learnt from")
      ->type_name("NAME...");
}

void add_model_flags(CLI::App& app, FinetuneFlags& flags) {
  app.option_defaults()->group("The model");
  app.add_option("--llama-ckpt-dir", flags.checkpoint,
                 "checkpoint to begin with, a folder or a file [default: OneLLM/OneLLM-7B]")
      ->type_name("DIR");
  app.add_option("--llama-config", flags.config,
                 "sizes of the language model, params.json [default: beside the checkpoint, else "
                 "those of 7B]")
      ->type_name("FILE");
  app.add_option("--tokenizer-path", flags.tokenizer,
                 "tokenizer.model [default: beside the checkpoint, else "
                 "OneLLM/config/llama2/tokenizer.model]")
      ->type_name("FILE");
  app.add_option("--init-from", flags.init_from,
                 "take the weights from this checkpoint instead of --llama-ckpt-dir")
      ->type_name("DIR");
  app.add_flag("--init-from-image", flags.init_from_image,
               "of no effect, as in the published script");
  app.add_option("--llama-type", flags.llama_type, "onellm; there is no other")
      ->type_name("NAME")
      ->transform(one_of({"onellm"}))
      ->capture_default_str();
  app.add_option("--train", flags.trained,
                 "all: everything but CLIP; lora: low-rank updates of the language model, and the "
                 "projector; projector: what lies between CLIP and the language model")
      ->type_name("PART")
      ->transform(one_of({"all", "lora", "projector"}))
      ->capture_default_str();
  app.add_option("--lora-rank", flags.lora_rank, "of the updates [default: 8]")
      ->type_name("N")
      ->check(whole_number(1, kMaxLoraRank));
  app.add_option("--lora-alpha", flags.lora_alpha,
                 "an update counts ALPHA / rank times [default: twice the rank]")
      ->type_name("ALPHA")
      ->check(number(0));
  app.add_option("--lora-targets", flags.lora_targets,
                 "products that get one, of wq, wk, wv, wo, w1, w2, w3 [default: wq,wk,wv,wo]")
      ->type_name("NAME,...")
      ->delimiter(',')
      ->transform(one_of({"wq", "wk", "wv", "wo", "w1", "w2", "w3"}));
  app.add_flag("--compat", flags.compat,
               "train as published, defects included: for comparing with published figures");
  app.add_option("--prompt-template", flags.prompt_template,
                 "with {question} and {choices}; to be given to `evaluate` as well [default: that "
                 "of the evaluation]")
      ->type_name("FILE|TEXT");
  app.add_option("--max-words", flags.max_words,
                 "tokens of text and scenes together; a longer question is left out, under "
                 "--compat it loses its end. 0: no bound [default: 0, under --compat 180]")
      ->type_name("N")
      ->check(whole_number(0, 1'000'000));
  app.add_option("--image-words", flags.image_words, "how many of them a scene takes")
      ->type_name("N")
      ->check(whole_number(0, 1'000'000))
      ->capture_default_str();
}

void add_training_flags(CLI::App& app, FinetuneFlags& flags) {
  app.option_defaults()->group("How it is trained");
  app.add_option("--epochs", flags.epochs, "how often every question is learnt from")
      ->type_name("N")
      ->check(whole_number(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--max-steps", flags.max_steps, "end after so many steps; 0: with the epochs")
      ->type_name("N")
      ->check(whole_number(0))
      ->capture_default_str();
  app.add_option("--batch-size", flags.batch_size, "questions of a process that make a batch")
      ->type_name("N")
      ->check(whole_number(1, kMaxBatch))
      ->capture_default_str();
  app.add_option("--accum-iter", flags.accumulation,
                 "batches of each process that make a step together")
      ->type_name("N")
      ->check(whole_number(1, kMaxBatch))
      ->capture_default_str();
  app.add_option("--micro-batch-size", flags.micro_batch_size,
                 "questions of a batch that are computed at once: the same gradient, and memory "
                 "for so many [default: 1 on a CPU that shards no weights, else all]")
      ->type_name("N")
      ->check(whole_number(1, kMaxBatch));
  app.add_option("--lr", flags.learning_rate,
                 "the highest learning rate [default: 2e-5; 2e-4 with --train lora or projector; "
                 "1e-7 with --compat]")
      ->type_name("LR")
      ->check(number(0, 1));
  app.add_option("--min-lr", flags.min_learning_rate,
                 "what it falls to at the end, along half a cosine [default: 0; 1e-10 with "
                 "--compat]")
      ->type_name("LR")
      ->check(number(0, 1));
  app.add_option("--warmup-epochs", flags.warmup_epochs,
                 "epochs over which it rises from 0; fractions are fine [default: 3% of the "
                 "training; 1 with --compat]")
      ->type_name("N")
      ->check(number(0));
  app.add_option("--weight-decay", flags.weight_decay,
                 "a step, times the learning rate; not of biases and norms [default: 0.02; 0 with "
                 "--train lora]")
      ->type_name("X")
      ->check(number(0, 1));
  app.add_option("--clip-grad", flags.clip_grad,
                 "gradients whose norm over all weights is larger are made smaller; 0: never")
      ->type_name("NORM")
      ->check(number(0))
      ->capture_default_str();
  app.add_option("--seed", flags.seed, "of the order of questions and of new weights")
      ->type_name("N")
      ->check(whole_number(0))
      ->capture_default_str();
  app.add_flag("--checkpointing", flags.checkpointing,
               "compute each layer once more instead of keeping what it computed: a third slower, "
               "much less memory");
}

void add_computing_flags(CLI::App& app, FinetuneFlags& flags) {
  app.option_defaults()->group("Where it is computed");
  app.add_option("--precision", flags.precision,
                 "of the layers: bf16, fp32 or fp64; the weights that learn are float32 (float64) "
                 "beside. fp16 computes in bf16, tf32 in fp32 [default: bf16 on a GPU and with "
                 "--compat, else fp32]")
      ->type_name("TYPE")
      ->transform(one_of({"bf16", "fp32", "fp64", "fp16", "tf32"}));
  app.add_option("--device", flags.device,
                 "auto, cpu, cuda or cuda:1; several processes take one GPU each [default: auto: a "
                 "GPU where there is one]")
      ->type_name("DEVICE");
  app.add_option("--threads", flags.threads, "that compute on a CPU [default: all cores]")
      ->type_name("N")
      ->check(whole_number(1, kMaxThreads));
  app.add_option("--decoders,--num-workers", flags.decoders,
                 "threads that read and decode media meanwhile [default: half of --threads]")
      ->type_name("N")
      ->check(whole_number(0, kMaxThreads));
  app.add_option("--feature-store", flags.feature_store,
                 "folder that keeps what the frozen part makes of each medium, for later epochs "
                 "and runs [default: none]")
      ->type_name("DIR");
  app.add_option("--data-parallel", flags.data_parallel,
                 "of several processes: ddp (each has everything), sdp (each has a share of "
                 "gradients and optimizer), fsdp (and of the weights)")
      ->type_name("KIND")
      ->transform(one_of({"ddp", "sdp", "fsdp"}))
      ->capture_default_str();
  app.add_option("--model-parallel-size", flags.model_parallel_size,
                 "1; layers are not cut: fsdp spreads a model that is too large")
      ->type_name("N")
      ->check(whole_number(1, 1))
      ->capture_default_str();
  app.add_flag("--pin-mem", flags.pin_mem, "of no effect: media do not go through other processes");
  app.add_flag("--no-pin-mem", flags.no_pin_mem, "of no effect either");
  add_job_flags(app, flags.job);
}

void add_keeping_flags(CLI::App& app, FinetuneFlags& flags) {
  app.option_defaults()->group("What is kept");
  app.add_option("--output-dir,--output", flags.output,
                 "folder of the run: checkpoints, log.txt, and the finished model, which "
                 "`contra4 evaluate --model onellm/DIR` takes. A run goes on in its folder")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_flag("--overwrite", flags.overwrite,
               "start anew in that folder; its checkpoints are deleted");
  app.add_option("--resume", flags.resume,
                 "go on from this checkpoint, or from the newest one in this folder [default: the "
                 "newest in --output-dir]")
      ->type_name("DIR");
  app.add_flag("--auto-resume", flags.auto_resume, "what happens anyway");
  app.add_option("--save-interval", flags.save_interval,
                 "between two checkpoints: steps (500) or time (30min, 2h); 0: only at the end of "
                 "an epoch. With --compat it counts epochs [default: 30min; 500 with --compat]")
      ->type_name("N|TIME");
  app.add_flag("--save-consolidated", flags.save_consolidated,
               "the whole model with each checkpoint, not only at the end");
  app.add_option("--keep", flags.keep, "so many checkpoints, the newest; 0: all")
      ->type_name("N")
      ->check(whole_number(0, 1'000'000))
      ->capture_default_str();
  app.add_option("--format", flags.format,
                 "of the finished model: pth (consolidated.00-of-01.pth, as published), "
                 "safetensors or both [default: both; pth with --compat]")
      ->type_name("NAME")
      ->transform(one_of({"pth", "safetensors", "both"}));
  app.add_option("--log-dir", flags.log_dir,
                 "folder of TensorBoard's files; '' for none [default: tensorboard in "
                 "--output-dir; ./output_dir with --compat]")
      ->type_name("DIR");
  app.add_option("--val-interval", flags.validation_interval,
                 "steps between two evaluations on --val; 0: at the end of an epoch")
      ->type_name("N")
      ->check(whole_number(0))
      ->capture_default_str();
  app.add_option("--early-stop", flags.early_stop,
                 "end after so many evaluations without a better accuracy; 0: never")
      ->type_name("N")
      ->check(whole_number(0, 1'000'000))
      ->capture_default_str();
  app.add_flag("--dry-run", flags.dry_run,
               "say what would be done: questions, steps, memory of a process; train nothing");
  app.add_flag("--json", flags.json, "how it ended, as JSON on standard output");
}

}  // namespace

void add_finetune_flags(CLI::App& app, FinetuneFlags& flags) {
  add_data_flags(app, flags);
  add_model_flags(app, flags);
  add_training_flags(app, flags);
  add_computing_flags(app, flags);
  add_keeping_flags(app, flags);
}

}  // namespace contra4::apps
