import CoveyNeighbors

// What only Covey's own tests and fuzz targets call. It is not in covey.h and no part of the interface.

/// Whether the searches of the process begin with sizes for a few dozen rows (`SearchSizes.small`) or with the usual
/// ones.
@c(covey_test_small_searches)
public func covey_test_small_searches(_ small: Int32) {
    SearchSizes.lower(small != 0)
}

/// The pairs of rows that searches looked at since the last call (`SearchWork`).
@c(covey_test_search_work)
public func covey_test_search_work() -> Int64 { Int64(SearchWork.take()) }
