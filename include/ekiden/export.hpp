// Marks what libekiden exports; everything else in it is hidden.
#pragma once

#define EKIDEN_EXPORT __attribute__((visibility("default")))
