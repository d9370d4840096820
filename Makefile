# The two long jobs of this repository; everything else is one command of the README. See training/starter/README.md.
PYTHON ?= .venv/bin/python
STARTER = $(PYTHON) -m training.starter

.PHONY: starter starter-report

# Everything from nothing: hours on two cores. Each stage goes on from what is saved in build/starter/.
starter:
	$(PYTHON) -m pip install -q -c constraints.txt -e '.[all]' --group starter
	$(STARTER) text
	$(STARTER) pictures emoji --count 30
	$(STARTER) pictures mix --count 51
	$(STARTER) pictures scenes --count 14
	$(STARTER) sounds
	$(STARTER) image --workers 2
	$(STARTER) audio --workers 2
	$(STARTER) export
	$(STARTER) report

# Measure the weights in the package again, and write their cards.
starter-report:
	$(STARTER) report
