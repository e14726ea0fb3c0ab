#!/usr/bin/env python3
"""Verifies what Cairn writes, from the text in Protocol/ alone: an implementation that shares no line of code
with the program.

    verify.py bundle FILE [--fingerprint F] [--witness KEY]… [--identity AGE-IDENTITY] [--json]
    verify.py folder FOLDER [--fingerprint F] [--kit FILE] [--json]

What stands where: statements, forks, logs, entries, content and keys have the objects that CaseLog.md and Keys.md describe, and
state what they come to; frames, mailbox_files, ranges and opening what a folder is read with; archive, proof, receipts, exhibits
and report what a bundle is. The order of a verification is in folder and bundle.

It needs Python 3.11, cbor2 and PyNaCl, and `age` for a bundle that is still encrypted. Exit codes: 0 intact, 21 all
holds, with remarks, 20 changed, 22 cannot check, 64 the command was not understood.

It writes nothing but, where `--identity` is given, the decrypted bundle: into a file without a name in TMPDIR, which is
gone with the program; its bytes may stay on that disk like those of any deleted file.
"""

import argparse
import json
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # before what lies beside this is imported: it may be on somebody's evidence disk

import bundle
import entries
import folder
import keys
import logs
import state
from encoding import Malformed, Refused, b32, from_b32


def as_read(fingerprint: str) -> str:
    """In groups or capitals, as somebody copies it from a page or a statement."""
    return fingerprint.replace(" ", "").replace("-", "").lower()


def main(arguments) -> int:
    parser = argparse.ArgumentParser(description="Verify a bundle or a folder, by the written formats.")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("bundle", help="a sealed bundle")
    one.add_argument("file")
    one.add_argument("--fingerprint", type=as_read)
    one.add_argument("--witness", action="append", default=[])
    one.add_argument("--identity", help="an age identity file, where the bundle is still encrypted")
    one.add_argument("--json", action="store_true")
    two = commands.add_parser("folder", help="a folder in which copies meet")
    two.add_argument("file", metavar="folder")
    two.add_argument("--fingerprint", type=as_read)
    two.add_argument("--kit", help="the paper of a kit, a text or a page: opens what its twelve words open")
    two.add_argument("--json", action="store_true")
    try:
        given = parser.parse_args(arguments)
        if given.command == "folder":
            return check_folder(given)
        trust = bundle.Trust.parse(given.fingerprint, given.witness)
    except Malformed as error:
        print(error, file=sys.stderr)
        return 64
    except SystemExit as error:
        return 64 if error.code else 0
    verdict = check_bundle(given.file, given.identity, trust)
    tell_bundle(verdict, given.json)
    if verdict.outcome == "consistent" or verdict.outcome == "intact" and verdict.findings:
        return 21
    return {"intact": 0, "changed": 20, "cannot-check": 22}[verdict.outcome]


# Bundles --------------------------------------------------------------------------------------------

def check_bundle(path: str, identity: str, trust: bundle.Trust) -> bundle.Verdict:
    try:
        with open(path, "rb") as file:
            head = file.read(64)
            if not head.startswith((b"age-encryption.org/", b"-----BEGIN")):
                return bundle.verify(file, trust)
        return check_encrypted(path, identity, trust)
    except OSError:
        return bundle.Verdict(findings=[Refused("unreadable")])


def check_encrypted(path: str, identity: str, trust: bundle.Trust) -> bundle.Verdict:
    """Decrypts with the ordinary program into a file without a name: a ZIP archive is read from its end."""
    if identity is None:
        return bundle.Verdict(findings=[Refused("key-needed")])
    with tempfile.TemporaryFile() as plain:
        done = subprocess.run(["age", "--decrypt", "--identity", identity, path], stdout=plain,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            code = "wrong-identity" if "no identity matched" in done.stderr else "encryption-damaged"
            outcome = "changed" if code == "encryption-damaged" else "cannot-check"
            return bundle.Verdict(outcome, [Refused(code)])
        return bundle.verify(plain, trust)


def said_of_bundle(verdict: bundle.Verdict) -> dict:
    said = {"verdict": verdict.outcome, "findings": [finding(f) for f in verdict.findings]}
    if verdict.since is not None:
        said["intact-since"] = verdict.since
    if verdict.bundle is not None:
        said |= described(verdict.bundle)
    return said


def tell_bundle(verdict: bundle.Verdict, as_json: bool):
    said = said_of_bundle(verdict)
    if as_json:
        print(json.dumps(said, separators=(",", ":")))
        return
    print(verdict.outcome.upper())
    for key in ("case", "exporter", "exported-at", "scope", "withheld", "intact-since"):
        if key in said:
            print(f"  {key}: {said[key]}")
    for exhibit in said.get("exhibits", []):
        by = f", existed by {exhibit['existed-by']}" if "existed-by" in exhibit else ""
        print(f"  exhibit {exhibit['number']}: {exhibit['kind']} {exhibit['entry'][:10]}{by}")
    for found in verdict.findings:
        where = " ".join(str(value) for key, value in finding(found).items() if key != "code")
        print(f"  - {found.code} {where} {found.why if found.why != found.code else ''}".rstrip())


def finding(found: Refused) -> dict:
    said = {"code": found.code}
    if found.path is not None:
        said["path"] = found.path
    if found.log is not None:
        said["log"] = b32(found.log)
    if found.sequence is not None:
        said["sequence"] = found.sequence
    return said


def described(checked: bundle.Bundle) -> dict:
    exhibits = []
    for exhibit in checked.exhibits:
        one = {"number": exhibit.number, "entry": b32(exhibit.entry.id), "kind": entries.KINDS.get(exhibit.entry.kind),
               "files": [exhibit.files[number] for number in sorted(exhibit.files)]}
        if exhibit.trusted:
            one |= {"existed-by": exhibit.trusted.time, "witness": exhibit.trusted.witness.name}
        exhibits.append(one)
    proof = checked.proof
    return {"case": b32(proof.case_id), "exporter": b32(proof.exporter), "exported-at": proof.exported_at,
            "scope": ["whole-case", "chosen-entries"][proof.scope], "withheld": checked.exhibits.withheld,
            "erased": checked.exhibits.erased, "exhibits": exhibits}


# Folders --------------------------------------------------------------------------------------------

def check_folder(given) -> int:
    case_id = from_b32(given.fingerprint, 32) if given.fingerprint else None
    kit = keys.kit_keys(keys.seed_of_words(words_in(given.kit))) if given.kit else None
    checked, code = folder.Folder(given.file, case_id, kit), 0
    try:
        checked.verify()
        code = 20 if checked.is_damaged else 21 if checked.findings else 0
    except Refused as refusal:
        checked.findings.append(refusal)
        code = 22
    said = {"verdict": {0: "whole", 20: "damaged", 21: "incomplete", 22: "cannot-check"}[code],
            "findings": [finding(f) for f in checked.findings]}
    if checked.case_id:
        said["case"] = b32(checked.case_id)
    said["logs"] = [{"log": b32(log.id), "size": log.size, "root": log.tree.root.hex(), "opened": len(log.entries),
                     "entries": sum(leaf.cls != logs.CONTROL for leaf in log.leaves),
                     "bodies": sum((log.id, s) in checked.ciphertexts for s in range(log.size))}
                    for _, log in sorted(checked.logs.items())]
    said["attachments"] = len(checked.blobs)
    if checked.state:
        said["attachments-named"] = len(checked.attachments)
        said["attachments-opened"] = sum(checked.attachments.values())
    if checked.state:
        said["members"] = [{"log": b32(m.log), "role": m.role} for m in checked.state.by_id()]
        said["state"] = state.state_hash(checked.state).hex()
    print(json.dumps(said, separators=(",", ":")) if given.json else json.dumps(said, indent=2))
    if not given.json:
        for found in checked.findings:
            print(found.code, found.path or "", found.why, file=sys.stderr)
    return code


def words_in(path: str) -> list:
    """Those on the paper of a kit."""
    with open(path, "rb") as file:
        return keys.words_of_paper(file.read(keys.MAX_PAPER + 1))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
