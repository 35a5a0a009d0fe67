package covey;

import static org.junit.jupiter.api.Assertions.*;

import java.io.File;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The jar as programs meet it, each in a Java of its own: how the library is found, and the programs of README.md. */
class JarTest {
    @TempDir Path folder;

    private static final String JAR =
        Path.of(Covey.class.getProtectionDomain().getCodeSource().getLocation().getPath()).toString();
    private static final String HELLO =
        "public class Hello { public static void main(String[] a) { System.out.println(covey.Covey.version()); } }";

    private record Outcome(int status, String output) {}

    private Outcome java(String... arguments) throws Exception {
        List<String> command =
            new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(List.of(arguments));
        File output = folder.resolve("output").toFile();
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output).start();
        int status = process.waitFor();
        return new Outcome(status, Files.readString(output.toPath()));
    }

    private String hello() throws Exception {
        return Files.writeString(folder.resolve("Hello.java"), HELLO).toString();
    }

    @Test
    void leavesNothingBehind() throws Exception {
        Path temporary = Files.createDirectory(folder.resolve("temporary"));
        Outcome outcome = java("-Djava.io.tmpdir=" + temporary, "-cp", JAR, hello());
        assertEquals(new Outcome(0, Covey.version() + "\n"), outcome);
        try (Stream<Path> left = Files.list(temporary)) {
            assertEquals(List.of(), left.filter(path -> path.getFileName().toString().startsWith("covey-")).toList());
        }
    }

    @Test
    void isAModule() throws Exception {
        Outcome outcome = java("-p", JAR, "--describe-module", "covey");
        assertEquals(0, outcome.status);
        assertTrue(outcome.output.contains("exports covey"), outcome.output);
    }

    @Test
    void takesTheLibrariesOfAFolder() throws Exception {
        Path libraries = Files.createDirectory(folder.resolve("libraries"));
        for (String name : List.of("libcovey.so.1", "libcovey_jni.so")) {
            try (InputStream content = Covey.class.getResourceAsStream("/META-INF/native/linux-x86_64/" + name)) {
                Files.copy(content, libraries.resolve(name));
            }
        }
        // No folder to unpack to: the libraries can only come from the property.
        String nowhere = "-Djava.io.tmpdir=" + folder.resolve("nowhere");
        assertEquals(new Outcome(0, Covey.version() + "\n"),
                     java("-Dcovey.library.path=" + libraries, nowhere, "-cp", JAR, hello()));
        Outcome missing = java("-Dcovey.library.path=" + folder.resolve("nothing"), "-cp", JAR, hello());
        assertTrue(missing.status != 0 && missing.output.contains("UnsatisfiedLinkError"), missing.output);
        Outcome unwritable = java(nowhere, "-cp", JAR, hello());
        assertTrue(unwritable.status != 0 && unwritable.output.contains("covey.library.path"), unwritable.output);
    }

    @Test
    void readmeProgramsRun() throws Exception {
        String readme = Files.readString(Path.of("bindings", "java", "README.md"), StandardCharsets.UTF_8);
        Matcher blocks = Pattern.compile("(?ms)^```java\n(.*?)^```").matcher(readme);
        int programs = 0;
        while (blocks.find()) {
            Matcher name = Pattern.compile("class (\\w+)").matcher(blocks.group(1));
            assertTrue(name.find());
            Path source = Files.writeString(folder.resolve(name.group(1) + ".java"), blocks.group(1));
            Outcome outcome = java("-cp", JAR, source.toString());
            assertEquals(0, outcome.status, outcome.output);
            assertFalse(outcome.output.isBlank());
            ++programs;
        }
        assertTrue(programs > 0);
    }
}
