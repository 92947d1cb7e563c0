#include "contra4/report/table.h"
