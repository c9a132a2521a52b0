from actors.live.transport cimport Transport
from actors.runtime cimport Runtime

cpdef poll(Runtime runtime, Transport transport)
