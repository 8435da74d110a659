#include "cli/app.hpp"
