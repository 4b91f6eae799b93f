"""Room of floor 2: exported files in runtimes that the toolkit does not use itself, for those who will use them.

    verify --runtime NAME
        environment    NAME's packages, exact versions, in a folder of their own; on request, once
        process        a child process there, with a time limit for each answer
        child          what runs in it: the protocol, and NAME's own small script; it imports nothing of this toolkit
        comparison     the child as a runner: its scores, and its time in turns with that of the file's own runtime

What a runtime is stands in ``export.formats.other_runtime``, which a format has and their scripts in the format's own
folder. Reading order: environment -> child, process -> comparison.
"""
