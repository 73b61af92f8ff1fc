// CLZ4.c - SwiftPM wants one source file per C target; everything is in the header.
#include "CLZ4.h"
