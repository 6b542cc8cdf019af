# The commands of a developer; CI calls the same scripts.
.PHONY: build test lint tidy bench soak fleet golden screenshots fuzz clean
FUZZ_SECONDS ?= 60
export FUZZ_SECONDS

build:
	scripts/build dev

test:
	scripts/test

lint:
	scripts/lint

# tidy runs clang-tidy over the program; it takes long.
tidy:
	scripts/tidy

# bench measures against nginx on the same core; the figures go into docs/performance.md.
bench:
	scripts/bench

# soak kills a server under load 200 times.
soak:
	scripts/build dev
	KILL_ROUNDS=200 KEYTURN_BIN=$(CURDIR)/build/dev/keyturn node --test tests/conformance/kill.test.mjs

# fleet audits and changes a simulated organization of 200 accounts, 17 regions and 100,000 keys, and
# kills the apply 100 times and the back-out 100 times.
fleet:
	scripts/build release
	FLEET=big KEYTURN_BIN=$(CURDIR)/build/release/keyturn node --test --test-reporter spec tests/fleet/organization.test.mjs

# golden rewrites the expected reports and transcripts; read the difference before committing it.
golden:
	scripts/build dev
	UPDATE_GOLDEN=1 ctest --test-dir build/dev -R 'golden|transcripts|Golden|console:pages' --output-on-failure

# screenshots makes the README's pictures of the console.
screenshots:
	scripts/build dev
	scripts/screenshots

# fuzz runs each target for FUZZ_SECONDS.
fuzz:
	scripts/build fuzz
	for target in $$(find build/fuzz/src -name '*_fuzz' -type f | sort); do \
	  name=$$(basename $$target _fuzz); \
	  echo "== $$name"; mkdir -p build/fuzz/corpus/$$name; \
	  $$target -max_total_time=$(FUZZ_SECONDS) build/fuzz/corpus/$$name tests/fuzz/$$name || exit 1; \
	done

clean:
	rm -rf build
