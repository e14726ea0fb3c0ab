"""Cases as `Protocol/Vectors/state` writes them down: what an evaluation takes, read into the verifier's own."""

from writer import entries, logs

from encoding import Refused, decode  # noqa: E402
from forks import decode_fork_proof, read_fork_proof  # noqa: E402
from state import State, Union  # noqa: E402
from statements import read_statements, read_succession  # noqa: E402


def written(case_id: bytes, statements: list, successions: list, devices: list, forks: list, receipts: list) -> dict:
    return {"case": case_id.hex(), "statements": _hex(statements), "successions": _hex(successions),
            "logs": [_written(device) for device in sorted(devices, key=lambda d: d.id) if device.log.size],
            "forks": _hex(forks), "receipts": [[of.id.hex(), size, by.id.hex()] for of, size, by in receipts]}


def _written(device) -> dict:
    control = [{"sequence": sequence, "parts": [[label, salt.hex(), data.hex()] for label, salt, data in parts]}
               for sequence, parts in device.disclosed()
               if device.log.leaves[sequence].cls == logs.CONTROL]
    return {"key": device.signing.public.hex(), "leaves": _hex(leaf.data for leaf in device.log.leaves), "control": control}


def _hex(items) -> list:
    return [item.hex() for item in items]


def read(vector: dict) -> State:
    """Raises what makes it no case: parts that do not give their leaf, statements and successions that do not hold."""
    case_id = bytes.fromhex(vector["case"])
    union = Union(case_id, read_statements([bytes.fromhex(s) for s in vector["statements"]], case_id))
    union.successions = [read_succession(bytes.fromhex(s), case_id) for s in vector["successions"]]
    for item in vector["logs"]:
        log = _read_log(item, union)
        union.logs[log.id] = log
    for fork in vector["forks"]:
        keys = {log.id: log.key for log in union.logs.values()}
        log, size, _ = read_fork_proof(decode_fork_proof(decode(bytes.fromhex(fork), 8192)), keys)
        union.add_fork(log, size)
    return State(union)


def _read_log(item: dict, union: Union) -> logs.Log:
    key = bytes.fromhex(item["key"])
    log = logs.Log(logs.log_id(union.case_id, key), key)
    for leaf in item["leaves"]:
        log.append(logs.read_leaf(bytes.fromhex(leaf)))
    for entry in item["control"]:
        leaf = log.leaves[entry["sequence"]]
        parts = [(label, bytes.fromhex(salt), bytes.fromhex(data)) for label, salt, data in entry["parts"]]
        if logs.root_of([entries.part_hash(i, *part) for i, part in enumerate(parts)]) != leaf.commit:
            raise Refused("entry-invalid", log=log.id, sequence=leaf.sequence)
        opened = {i: (label, data) for i, (label, _, data) in enumerate(parts)}
        try:
            log.entries[leaf.sequence] = entries.read_entry(union.case_id, log.id, leaf, len(parts), opened)
        except Refused:
            union.violations.add((log.id, leaf.sequence))
    return log


def view(vector: dict, state: State) -> list:
    """What each leaf that is not control comes to, by (log id, sequence)."""
    receipts = [(bytes.fromhex(of), size, bytes.fromhex(by)) for of, size, by in vector["receipts"]]
    covering = lambda log, sequence: [by for of, size, by in receipts if of == log and size > sequence]
    return [[log.hex(), leaf.sequence, state.standing(log, leaf, covering)]
            for log, held in sorted(state.union.logs.items()) for leaf in held.leaves if leaf.cls != logs.CONTROL]
