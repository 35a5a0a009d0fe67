package covey;

/** Receives the progress of a long call, and may cancel it. */
@FunctionalInterface
public interface ProgressListener {
    /**
     * Called at most about 50 times a second, on the thread that made the call. It must not use the same {@link
     * Context} for another call, except {@link Context#cancel}. If it throws an exception, the call stops and throws
     * this exception.
     *
     * @param stage the current stage of the call
     * @param fraction the part of the stage that is done, 0 to 1
     * @return true to go on; false cancels the call, with {@link StatusCode#CANCELLED}
     */
    boolean onProgress(String stage, double fraction);
}
