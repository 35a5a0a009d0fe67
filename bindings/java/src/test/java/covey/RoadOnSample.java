package covey;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** Tests that read the whole road on the sample. It is gone once for each of their classes. */
abstract class RoadOnSample {
    static Sample sample;
    static Road road;

    @BeforeAll
    static void run() throws Exception {
        sample = Sample.load();
        road = new Road(sample, null);
    }

    @AfterAll
    static void end() {
        road.close();
    }
}
