package covey;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * What would change the score of one transaction, as {@link Engine#counterfactual} found it. It says what the engine
 * would score, not what a customer should do.
 *
 * @param outcome whether there are answers, and why not
 * @param text the same as a sentence
 * @param original the score of the transaction as it was given
 * @param answers the cheapest first; none has all the changes of a cheaper one
 * @param evaluations the number of alternatives that were scored
 */
public record Counterfactuals(Outcome outcome, String text, Score original, List<Answer> answers, long evaluations) {
    /** Whether there are answers. */
    public enum Outcome {
        /** Nothing that was tried reaches the goal. */
        NONE,
        /** There are answers. */
        FOUND,
        /** The transaction reaches the goal as it is. */
        NOT_NEEDED
    }

    /**
     * A way to reach the goal.
     *
     * @param changes the changed features
     * @param removed positions of the removed events in the sequence as it was given, from 0, ascending
     * @param cost the sum of the costs of all changes and removed events
     * @param score the engine's score of the changed transaction
     * @param text all that as a sentence
     */
    public record Answer(List<Change> changes, List<Long> removed, double cost, Score score, String text) {}

    /**
     * A changed feature.
     *
     * @param name the feature's name
     * @param kind the kind of its values
     * @param before the given number, or 0 or 1; NaN means missing, and stands for categories
     * @param after the new one, likewise
     * @param beforeCategory the given category; null means missing, and stands for other kinds
     * @param afterCategory the new category; null for other kinds
     * @param cost of a number the feature's cost * |after - before| / unit
     * @param unit of a number the distance between the quartiles of the rows that the engine keeps; otherwise 1
     */
    public record Change(String name, FeatureTable.Kind kind, double before, double after, String beforeCategory,
                         String afterCategory, double cost, double unit) {}

    /** Copies a native result. */
    static Counterfactuals read(long address) {
        long scores = Native.counterfactualsScores(address);
        List<Answer> answers = new ArrayList<>();
        for (long index = 0; index < Native.counterfactualsFigure(address, 1); ++index) {
            answers.add(answer(address, index, Scores.read(scores, (int)index + 1)));
        }
        return new Counterfactuals(Outcome.values()[(int)Native.counterfactualsFigure(address, 0)],
                                   Text.decode(Native.counterfactualsText(address, -1, 0, 0)), Scores.read(scores, 0),
                                   List.copyOf(answers), Native.counterfactualsFigure(address, 2));
    }

    private static Answer answer(long address, long index, Score score) {
        long[] counts = new long[2];
        double[] cost = new double[1];
        Native.counterfactualsGet(address, index, counts, cost);
        List<Change> changes = new ArrayList<>();
        for (long place = 0; place < counts[0]; ++place) changes.add(change(address, index, place));
        List<Long> removed = LongStream.of(Native.counterfactualsRemoved(address, index, counts[1])).boxed().toList();
        String text = Text.decode(Native.counterfactualsText(address, index, 0, 0));
        return new Answer(List.copyOf(changes), removed, cost[0], score, text);
    }

    private static Change change(long address, long answer, long index) {
        long[] kind = new long[1];
        double[] x = new double[4];
        Native.counterfactualsChange(address, answer, index, kind, x);
        return new Change(Text.decode(Native.counterfactualsText(address, answer, index, 1)),
                          FeatureTable.Kind.values()[(int)kind[0]], x[0], x[1],
                          Text.decode(Native.counterfactualsText(address, answer, index, 2)),
                          Text.decode(Native.counterfactualsText(address, answer, index, 3)), x[2], x[3]);
    }
}
