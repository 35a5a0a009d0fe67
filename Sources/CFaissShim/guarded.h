/* Every exception becomes a status. */
#ifndef FAISS_SHIM_GUARDED_H
#define FAISS_SHIM_GUARDED_H

#include "faiss_shim.h"

#include <new>

template <class Body> int guarded(Body body) noexcept {
    try {
        body();
        return FS_OK;
    } catch (const std::bad_alloc &) { return FS_OUT_OF_MEMORY; } catch (...) {
        return FS_FAILED;
    }
}

#endif
