#include "contra4/features/resize.h"
