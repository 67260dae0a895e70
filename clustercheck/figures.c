#include "figures.h"

const int64_t histogram_bound_us[HISTOGRAM_BOUNDS] = {10,   25,    50,    100,    250,    500,    1000,
                                                      2500, 10000, 25000, 100000, 250000, 500000, 1000000};

void histogram_add(struct histogram *histogram, int64_t ns)
{
    size_t i = 0;

    while (i < HISTOGRAM_BOUNDS && ns > histogram_bound_us[i] * 1000)
        i++;
    histogram->count[i]++;
    histogram->total++;
    histogram->sum_ns += ns;
}

enum figures_code figures_code_of(int status)
{
    return status == 200 ? CODE_200 : status == 404 ? CODE_404 : CODE_503;
}
