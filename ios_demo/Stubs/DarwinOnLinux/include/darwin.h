// Stand-in for the part of Darwin that DeviceMemory.swift uses; the kernel call fails. See Package.swift.
#include <stdint.h>

typedef int integer_t;
typedef int kern_return_t;
typedef unsigned int mach_port_t;
typedef unsigned int mach_msg_type_number_t;
typedef unsigned int task_flavor_t;

struct task_vm_info {
    uint64_t virtual_size;
    uint64_t phys_footprint;
};
typedef struct task_vm_info task_vm_info_data_t;

#define KERN_SUCCESS 0
#define TASK_VM_INFO 22

extern mach_port_t mach_task_self_;
kern_return_t task_info(mach_port_t task, task_flavor_t flavor, integer_t *info, mach_msg_type_number_t *count);
