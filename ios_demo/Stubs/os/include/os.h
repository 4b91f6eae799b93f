// Stand-in for os/proc.h; 0 says that no limit is known.
#include <stddef.h>

size_t os_proc_available_memory(void);
