"""The parts of tests/run: unit.py runs cmocka binaries, system.py and child.py unittest modules."""
