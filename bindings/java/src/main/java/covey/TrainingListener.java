package covey;

/** Hears how a training goes, and may stop it. */
@FunctionalInterface
public interface TrainingListener {
    /**
     * Called after each epoch, and in between about once a second, on the thread that made the call. It must not use the
     * same
     * {@link Context} for another call, except {@link Context#cancel}. An exception stops the training and leaves the call.
     *
     * @return true to go on; false stops the training, with {@link StatusCode#CANCELLED}
     */
    boolean onProgress(Progress progress);

    /**
     * Where a training is.
     *
     * @param epoch from 1
     * @param step steps done
     * @param steps those of all epochs
     * @param loss mean over the sequences since the epoch began
     * @param heldOutLoss at the end of an epoch; otherwise NaN
     * @param sequencesPerSecond of this epoch
     * @param learningRate of the last step
     */
    record Progress(
            long epoch,
            long step,
            long steps,
            double loss,
            double heldOutLoss,
            double sequencesPerSecond,
            double learningRate) {}
}
