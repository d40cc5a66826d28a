# Thin: each target is a script under scripts/, which says what it does. README and .ci/run call these.
ROUNDS ?= 1000

.PHONY: start test check crash soak bench

start: ; @scripts/start
test:  ; @scripts/test
check: ; @scripts/check
crash: ; @scripts/crash $(ROUNDS)
soak:  ; @scripts/soak
bench: ; @scripts/bench
