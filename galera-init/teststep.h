/*
 * Steps at which tests let galera-init die: when the environment variable GALERA_INIT_TEST_KILL has the name of the step
 * that is reached, the process kills itself with SIGKILL. Nothing else reads that variable.
 */
#ifndef INIT_TESTSTEP_H
#define INIT_TESTSTEP_H

void test_step(const char *name);

#endif
