#include "cli/app.hpp"

int main(int argc, char** argv) { return ekiden::cli::run(argc, argv); }
