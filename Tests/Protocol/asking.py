"""A program that answers questions, a line of JSON each: Tests/Answers, or one that answers in the same form."""

import json
import subprocess


class Asked:
    def __init__(self, *command):
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, ask: str, **given) -> dict:
        self.send(ask, **given)
        return self.answer()

    def send(self, ask: str, **given):
        """So that both sides can work at a time; the answer has to be fetched before the next question."""
        self._process.stdin.write(json.dumps({"ask": ask} | given) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._process.args[0]} ended with {self._process.wait()}")
        return json.loads(line)
