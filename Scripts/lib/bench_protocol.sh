# What `Scripts/bench protocol` does; sourced by it, after needs.sh.

build_protocol() {
  swift build -c release --product ProtocolBenchmark
}

install_protocol_peers() {
  python3 -m venv "$PROJECT/.build/bench/protocol" &&
    "$PROJECT/.build/bench/protocol/bin/pip" install --quiet --disable-pip-version-check \
      --requirement Benchmarks/Protocol/requirements.txt
}

bench_protocol() {
  need_to_build
  need_packages python3-venv
  step "Building in release mode (the first time takes some minutes)" build_protocol
  [[ -x "$PROJECT/.build/bench/protocol/bin/python" ]] ||
    step "Installing loro and pycrdt" install_protocol_peers
  PROTOCOL_BENCHMARK="$(swift build -c release --show-bin-path)/ProtocolBenchmark" \
    "$PROJECT/.build/bench/protocol/bin/python" Benchmarks/Protocol/peers/compare.py
}
