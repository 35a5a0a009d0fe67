import Glibc

@inline(__always)
func naturalLogarithm(_ value: Double) -> Double { log(value) }

@inline(__always)
func logit(_ share: Double) -> Double { log(share / (1 - share)) }

@inline(__always)
func logistic(_ value: Double) -> Double { 1 / (1 + exp(-value)) }

@inline(__always)
func exponential(_ value: Double) -> Double { exp(value) }
