#include "CSealedVFS.h"
