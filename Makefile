# Thin: each target is a script under scripts/, which says what it does. README and .ci/run call these.
ROUNDS ?= 1000

.PHONY: start app test check crash soak bench bench-app bundle

start: ; @scripts/start
app:   ; @scripts/app
test:  ; @scripts/test
check: ; @scripts/check
crash: ; @scripts/crash $(ROUNDS)
soak:  ; @scripts/soak
bench: ; @scripts/bench
bench-app: ; @scripts/bench-app
bundle: ; @scripts/bundle
