// CLZF.c - SwiftPM wants one source file per C target; everything is in the header.
#include "CLZF.h"
