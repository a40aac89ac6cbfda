using Carrel.Contracts;
using Xunit;

namespace Carrel.Contracts.Tests;

public sealed class OutcomeTests
{
    [Fact]
    public void A_failure_has_no_value_and_names_itself()
    {
        Outcome<int> outcome = new Failure(ErrorCodes.NotFound, "No computer abc.", "List them.");

        Assert.False(outcome.Succeeded);
        var thrown = Assert.Throws<InvalidOperationException>(() => outcome.Value);
        Assert.Contains("No computer abc. List them. [not_found]", thrown.Message, StringComparison.Ordinal);
    }
}
