package covey;

/** Hears how far a long call is, and may stop it. */
@FunctionalInterface
public interface ProgressListener {
    /**
     * Called at most about 50 times a second, on the thread that made the call. It must not use the same {@link Context}
     * for another call, except {@link Context#cancel}. An exception stops the call and leaves it in the place of its
     * result.
     *
     * @param stage what is running
     * @param fraction how much of it is done, 0 to 1
     * @return true to go on; false stops the call, with {@link StatusCode#CANCELLED}
     */
    boolean onProgress(String stage, double fraction);
}
