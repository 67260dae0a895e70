/* Dying at a named step, for tests that show that nothing is lost or done twice wherever a process ends. */
#ifndef INIT_TESTSTEP_H
#define INIT_TESTSTEP_H

/* Ends the process with SIGKILL when the environment says GALERA_INIT_TEST_KILL=<name>; else does nothing. */
void test_step(const char *name);

#endif
