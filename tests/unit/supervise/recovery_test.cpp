#include "tests/unit/supervise/tree_fixture.hpp"
