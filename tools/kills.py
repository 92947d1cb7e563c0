"""What the tests that kill programs share: a server with a log, and kills at random moments."""
import random
import signal
import subprocess
import sys
import time


class Server:
    """The loopback server as a process, with the log of what it received."""

    def __init__(self, program, log, *options):
        self.log = log
        self.process = subprocess.Popen([program, "--log", str(log), *options],
                                        stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().strip()}/v1"

    def received(self):
        """Hashes of the bodies received so far, in order."""
        text = self.log.read_text() if self.log.exists() else ""
        return [line.split()[0] for line in text.splitlines() if " " in line]

    def stop(self):
        self.process.kill()
        self.process.wait()


class Killer:
    """Ends programs by SIGKILL at random moments until there were enough kills."""

    def __init__(self, server, wanted, longest_s, seed):
        self.server = server
        self.wanted = wanted
        self.longest_s = longest_s
        self.draw = random.Random(seed)
        self.kills = 0

    def is_done(self):
        return self.kills >= self.wanted

    def run_to_end(self, command, journaled_bodies):
        """Starts a command again and again until it finishes by itself. Gives after each process the
        bodies that reached the server meanwhile; none may be one that stood in a journal before."""
        done, is_finished = set(), False
        while not is_finished:
            before = len(self.server.received())
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            if not self.is_done():
                time.sleep(self.draw.uniform(0, self.longest_s))
                process.send_signal(signal.SIGKILL)
            words = process.communicate()[1].decode(errors="replace")
            is_finished = process.returncode == 0
            if process.returncode not in (0, -signal.SIGKILL):
                fail(f"exit {process.returncode} after {self.kills} kills: {words}")
            self.kills += process.returncode == -signal.SIGKILL
            time.sleep(0.05)  # calls under way reach the log
            received = self.server.received()[before:]
            repeated = done.intersection(received)
            if repeated:
                fail(f"{len(repeated)} journaled calls were made again after kill {self.kills}")
            done = set(journaled_bodies())
            yield received


def fail(message):
    sys.exit(f"{sys.argv[0]}: FAILED: {message}")
