package covey;

/** The native library itself. */
public final class Covey {
    private Covey() {}

    /** The version of the native library, "major.minor.patch". */
    public static String version() {
        return Text.decode(Native.version());
    }

    /** The version of the native library as major * 10000 + minor * 100 + patch. */
    public static int versionNumber() {
        return Native.versionNumber();
    }
}
