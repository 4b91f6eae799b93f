#include "darwin.h"

mach_port_t mach_task_self_ = 0;

kern_return_t task_info(mach_port_t task, task_flavor_t flavor, integer_t *info, mach_msg_type_number_t *count) {
    return 5; // KERN_FAILURE
}
