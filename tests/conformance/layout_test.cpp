// layout_test.c once more, as C++.
#include "layout_test.c"
