/* The least a process can do: what every start-up time is compared with. */
int main(void)
{
    return 0;
}
