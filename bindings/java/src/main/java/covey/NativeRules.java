package covey;

/** The JNI functions of rules and their backtests, as {@link Native} has the others. */
final class NativeRules {
    static { NativeLoader.load(); }

    private NativeRules() {}

    static native long rulesExtract(long context, FeatureTable features, byte[] target, long maxConditions,
                                    long maxRules, long minSupport, double minPrecision, double minLift, long maxBins,
                                    long beamWidth, double heldOut, double confidence, double[] times, long seed,
                                    byte[] targetName, double[] weights, double[] amounts, int quality, double beta,
                                    byte[] policyNames, int[] policyCodes, byte[] pinnedNames, int[] pinnedCodes,
                                    double[] pinnedBounds, byte[] pinnedCategories, long given, double rounding,
                                    double significance, long permutations, long resamples, double minStability,

                                    byte[] ageTo, byte[] pairs, int[] pairKinds);

    static native long rulesCount(long rules);

    static native long rulesTried(long rules);

    static native long rulesFallen(long rules);

    static native void rulesGet(long rules, long rule, long[] integers, double[] reals);

    static native byte[] rulesText(long rules, long rule);

    static native byte[] rulesConditionText(long rules, long rule, long index);

    static native byte[] rulesCondition(long rules, long rule, long index, long[] integers, double[] reals);

    static native byte[] rulesConditionColumn(long rules, long rule, long index, int column);

    static native byte[] rulesConditionCategory(long rules, long rule, long index, long category);

    static native void rulesEvaluate(long rules, long context, FeatureTable features, byte[] fired, byte[] any);

    static native byte[] rulesExport(long rules, long context, int format, int dialect, boolean timestamps,
                                     byte[] texts);

    static native long rulesParse(long context, byte[] json);

    static native void rulesDestroy(long rules);

    static native byte[] rulesNote(long rules);

    static native long backtestRun(long context, long rules, FeatureTable features, byte[] fraud, double[] amounts,
                                   double[] times, int[] outcomes, long outcomeCount, double period, double confidence,
                                   byte[] live, long shadow);

    static native void backtestGet(long backtest, long rule, long period, long[] integers, double[] reals);

    static native long backtestPeriods(long backtest);

    static native double backtestStart(long backtest, long period);

    static native void backtestOutcome(long backtest, long rule, long outcome, long[] integers, double[] reals);

    static native long backtestOverlap(long backtest, long first, long second);

    static native void backtestDestroy(long backtest);
}
