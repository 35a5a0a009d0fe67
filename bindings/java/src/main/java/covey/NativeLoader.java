package covey;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;

/** Finds and loads the two native libraries: Covey itself and its JNI functions. */
final class NativeLoader {
    private static final String[] LIBRARIES = {"libcovey.so.1", "libcovey_jni.so"};
    private static final String DIRECTORY_PROPERTY = "covey.library.path";

    private NativeLoader() {}

    static void load() {
        String directory = System.getProperty(DIRECTORY_PROPERTY);
        if (directory != null) {
            loadFrom(Path.of(directory));
        } else {
            loadFromJar();
        }
        int number = Native.versionNumber();
        if (number / 10000 != 1) {
            throw new UnsatisfiedLinkError("covey for Java 1 needs libcovey 1, found version number " + number);
        }
    }

    /** Loads in this order: the second library finds the first by its soname. */
    private static void loadFrom(Path directory) {
        for (String library : LIBRARIES) { System.load(directory.resolve(library).toAbsolutePath().toString()); }
    }

    /**
     * Copies the libraries to a private temporary folder, loads them, and removes the folder at once. A loaded library
     * does not need its file. So no file is left behind, however the process ends.
     */
    private static void loadFromJar() {
        String source = "/META-INF/native/" + platform() + "/";
        Path directory = null;
        try {
            directory = Files.createTempDirectory(
                "covey-", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            for (String library : LIBRARIES) {
                try (InputStream content = NativeLoader.class.getResourceAsStream(source + library)) {
                    if (content == null) {
                        throw new UnsatisfiedLinkError("no native library " + source + library + " in the jar; set -D" +
                                                       DIRECTORY_PROPERTY + " to a folder with " +
                                                       String.join(" and ", LIBRARIES));
                    }
                    Files.copy(content, directory.resolve(library));
                }
            }
            loadFrom(directory);
        } catch (IOException | UnsupportedOperationException failure) {
            UnsatisfiedLinkError error = new UnsatisfiedLinkError(
                "cannot unpack the native libraries to " + System.getProperty("java.io.tmpdir") + " (" + failure +
                "); set -D" + DIRECTORY_PROPERTY + " to a folder that has them, or -Djava.io.tmpdir");
            error.initCause(failure);
            throw error;
        } finally { remove(directory); }
    }

    private static void remove(Path directory) {
        if (directory == null) return;
        try {
            for (String library : LIBRARIES) Files.deleteIfExists(directory.resolve(library));
            Files.delete(directory);
        } catch (IOException leftBehind) {
            // The libraries are loaded, and only this user can read the folder, so this is no reason to fail.
            directory.toFile().deleteOnExit();
        }
    }

    private static String platform() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String processor = System.getProperty("os.arch");
        if (processor.equals("amd64")) processor = "x86_64";
        return system + "-" + processor;
    }
}
