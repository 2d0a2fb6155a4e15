# One line a target; the work is in local/bootstrap.py and local/tasks.py. PYTHON names another interpreter.
PYTHON ?= python3
RUN = @$(PYTHON) -m local.bootstrap
.PHONY: demo up test check quality bench chaos install lock clean

demo: ; $(RUN) demo
up: ; $(RUN) up
test: ; $(RUN) test $(ARGS)
check: ; $(RUN) check
quality: ; $(RUN) quality
bench: ; $(RUN) bench $(ARGS)
chaos: ; $(RUN) chaos $(ARGS)
install: ; $(RUN) install
lock: ; $(RUN) lock
clean: ; $(RUN) clean
