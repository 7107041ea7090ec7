#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Tells threads apart: who waits for what others do must not wait for itself.
enum CurrentThread {
    static var id: UInt {
        #if canImport(Glibc)
        UInt(pthread_self())
        #else
        unsafeBitCast(pthread_self(), to: UInt.self)
        #endif
    }
}
