import Foundation

// Preconcurrency: mach_task_self_ is a variable in SDKs before macOS 15.4, and never changes.
#if os(Linux)
    @preconcurrency import DarwinOnLinux  // under its own name SwiftPM's test runner would take this for a Mac
#else
    @preconcurrency import Darwin
#endif
#if os(iOS) || os(Linux)
    import os
#endif

/// The process's memory as iOS counts it.
public enum DeviceMemory {
    /// Physical footprint in MiB, which iOS terminates apps by. Nil where the kernel does not say.
    public static func footprintMib() -> Double? {
        var info = task_vm_info_data_t()
        var count = mach_msg_type_number_t(MemoryLayout<task_vm_info_data_t>.size / MemoryLayout<integer_t>.size)
        let result = withUnsafeMutablePointer(to: &info) { pointer in
            pointer.withMemoryRebound(to: integer_t.self, capacity: Int(count)) { integers in
                task_info(mach_task_self_, task_flavor_t(TASK_VM_INFO), integers, &count)
            }
        }
        return result == KERN_SUCCESS ? Double(info.phys_footprint) / Double(1 << 20) : nil
    }

    /// What iOS still lets the app allocate, in MiB; nil on a Mac, which sets no such limit.
    public static func availableMib() -> Int? {
        #if os(iOS) || os(Linux)
            let bytes = os_proc_available_memory()
            return bytes > 0 ? bytes >> 20 : nil
        #else
            return nil
        #endif
    }
}
