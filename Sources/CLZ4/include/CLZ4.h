// CLZ4.h - the C edge to Debian's liblz4: blocks compressed against a dictionary. No logic here.
#ifndef FOG_CLZ4_H
#define FOG_CLZ4_H
#include <lz4.h>
#endif
