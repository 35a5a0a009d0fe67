package covey;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A file of Covey that is changed and gets the right checksum again, so that the change is read. */
final class CheckedFile {
    private static final String STRING = "\"([^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+)\"";
    private static final Pattern ENTRY = Pattern.compile(STRING + ":" + STRING);
    private static final Pattern TENSOR = Pattern.compile("\"([^\"]+)\":\\{\"data_offsets\":\\[(\\d+),(\\d+)\\],"
                                                          + "\"dtype\":\"(\\w+)\",\"shape\":\\[([\\d,]*)\\]\\}");
    private static final Pattern CHECKSUM = Pattern.compile("\"covey\\.checksum\":\"([0-9a-f]{16})\"");
    private static final Pattern NUMBER = Pattern.compile("\\d");

    private long sum;
    private final byte[] good;
    private final int header;

    CheckedFile(byte[] good) {
        this.good = good;
        header = 8 + (int)ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    /** Whether `checksum` computes what Covey does. */
    boolean isUnderstood() { return Arrays.equals(checked(good.clone()), good); }

    /** A copy with some numbers of its entries or tensors changed, of the same length. */
    byte[] changed(Random random) {
        byte[] bytes = good.clone();
        for (int change = random.nextInt(3); change >= 0; --change) {
            if (random.nextBoolean()) {
                Matcher digits = NUMBER.matcher(text(bytes).substring(0, text(bytes).indexOf("\"data_offsets\"")));
                int[] places = digits.results().mapToInt(MatchResult::start).toArray();
                bytes[8 + places[random.nextInt(places.length)]] = (byte) "0123456789-e.".charAt(random.nextInt(13));
            } else {
                int place = header + random.nextInt(bytes.length - header);
                for (int end = Math.min(bytes.length, place + 1 + random.nextInt(8)); place < end; ++place)
                    bytes[place] = (byte)(random.nextBoolean() ? 255 * random.nextInt(2) : random.nextInt(256));
            }
        }
        return checked(bytes);
    }

    private String text(byte[] bytes) { return new String(bytes, 8, header - 8, StandardCharsets.ISO_8859_1); }

    private byte[] checked(byte[] bytes) {
        String text = text(bytes);
        Matcher place = CHECKSUM.matcher(text);
        if (!place.find()) return bytes;
        byte[] digits = String.format("%016x", checksum(bytes, text)).getBytes(StandardCharsets.ISO_8859_1);
        System.arraycopy(digits, 0, bytes, 8 + place.start(1), 16);
        return bytes;
    }

    private long checksum(byte[] bytes, String text) {
        Map<String, String> entries = new TreeMap<>();
        Map<String, String[]> tensors = new TreeMap<>();
        for (Matcher entry = ENTRY.matcher(text); entry.find();)
            if (!entry.group(1).equals("dtype")) entries.put(plain(entry.group(1)), plain(entry.group(2)));
        for (Matcher tensor = TENSOR.matcher(text); tensor.find();)
            tensors.put(tensor.group(1),
                        new String[] {tensor.group(4), tensor.group(5), tensor.group(2), tensor.group(3)});
        entries.remove("covey.checksum");
        sum = 0x9E3779B97F4A7C15L;
        entries.forEach((name, value) -> {
            add(name.getBytes(StandardCharsets.ISO_8859_1));
            add(value.getBytes(StandardCharsets.ISO_8859_1));
        });
        tensors.forEach((name, tensor) -> {
            add(name.getBytes(StandardCharsets.ISO_8859_1));
            add(tensor[0].getBytes(StandardCharsets.ISO_8859_1));
            if (!tensor[1].isEmpty())
                for (String length : tensor[1].split(",")) add(Long.parseLong(length));
            add(Arrays.copyOfRange(bytes, header + Integer.parseInt(tensor[2]), header + Integer.parseInt(tensor[3])));
        });
        return sum;
    }

    private static String plain(String text) { return text.replaceAll("\\\\([\"\\\\/])", "$1"); }

    private void add(long word) {
        sum = (sum ^ word) * 0xBF58476D1CE4E5B9L;
        sum ^= sum >>> 32;
    }

    private void add(byte[] bytes) {
        add((long)bytes.length);
        ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (words.remaining() >= 8) add(words.getLong());
        long rest = 0;
        while (words.hasRemaining()) rest = rest << 8 | (words.get() & 255);
        add(rest);
    }
}
