from actors._wires cimport Wires
from actors.runtime cimport Runtime

cpdef poll(Runtime runtime, Wires wires)
