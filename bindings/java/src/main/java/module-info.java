/** Covey: finds fraud rings by how they behave. */
module covey { exports covey; }
