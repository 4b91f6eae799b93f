#include "os.h"

size_t os_proc_available_memory(void) { return 0; }
