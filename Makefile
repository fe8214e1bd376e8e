# All the set-up there is: `make run` for the main job, `make test` for the tests.
# Missing Debian packages are installed as root or through sudo, and each command says so;
# without either it goes on with what is there.

RUN_PACKAGES  = iptables iproute2
TEST_PACKAGES = $(RUN_PACKAGES) etcd-server redis-server nats-server memcached bind9 postgresql mariadb-server user-mode-linux kmod openssh-server openssh-client sudo chromium curl python3 libssl-dev openssl pkg-config

.PHONY: run demo demo-etcd test chaos lint

run: packages-run
	cargo run --release -- run

demo: packages-run
	cargo run --release -- demo

# etcd through partitions, kills and pauses.
demo-etcd:
	@./.ci/packages $(RUN_PACKAGES) etcd-server
	cargo run --release -- run --db etcd

# Tests with real runs mostly wait, so there are more of them at once than processors.
test: packages-test
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-$$((($$(nproc) * 3 + 1) / 2))} cargo test --workspace --all-features --no-fail-fast

# The tool against itself: runs of random plans that are killed, starved and cut short.
chaos: packages-test
	SPLITBRAIN_CHAOS=$${SPLITBRAIN_CHAOS:-200} cargo test --release -p splitbrain --test chaos -- --nocapture

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-features --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps

.PHONY: packages-run packages-test
packages-run:
	@./.ci/packages $(RUN_PACKAGES)

packages-test:
	@./.ci/packages $(TEST_PACKAGES)
