// SQLite's memory, which runs out when a test wants it to.
#ifndef CAIRN_FAILING_MEMORY_H
#define CAIRN_FAILING_MEMORY_H

#include <stdbool.h>

/// Puts itself below SQLite, once and before its first use. SQLITE_OK or its error.
int cairn_failing_memory_install(void);

/// From now on the `first`th request for memory fails, and all later ones too if `stays`; 0: none does.
/// Counting begins anew.
void cairn_failing_memory_set(long first, bool stays);

/// Requests since then.
long cairn_failing_memory_count(void);

#endif
