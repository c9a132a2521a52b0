from actors.live._transport cimport Wires
from actors.runtime cimport Runtime

cpdef poll(Runtime runtime, Wires wires)
