package covey;

/** Receives the progress of a training, and may cancel it. */
@FunctionalInterface
public interface TrainingListener {
    /**
     * Called after each epoch, and about once a second, on the thread that made the call. It must not use the same
     * {@link Context} for another call, except {@link Context#cancel}. If it throws an exception, the training stops
     * and the call throws this exception.
     *
     * @return true to go on; false cancels the training, with {@link StatusCode#CANCELLED}
     */
    boolean onProgress(Progress progress);

    /**
     * The state of a training.
     *
     * @param epoch the epoch, from 1
     * @param step the number of steps done
     * @param steps the number of steps of all epochs
     * @param loss the mean over the sequences since the epoch began
     * @param heldOutLoss the held-out loss at the end of an epoch; otherwise NaN
     * @param sequencesPerSecond the rate in this epoch
     * @param learningRate the learning rate of the last step
     */
    record Progress(long epoch, long step, long steps, double loss, double heldOutLoss, double sequencesPerSecond,
                    double learningRate) {}
}
