using Carrel.Machines.Undo;
using Xunit;

namespace Carrel.Machines.Tests.Undo;

public sealed class UndoStackTests
{
    [Fact]
    public async Task Undoing_runs_newest_first_and_goes_on_past_failures()
    {
        var (stack, undone) = (new UndoStack(), new List<string>());
        stack.Push("first", () => undone.Add("first"));
        stack.Push("second", () => throw new IOException("stuck"));
        stack.Push("third", () => undone.Add("third"));

        var left = await stack.UnwindAsync();

        Assert.Equal(["third", "first"], undone);
        Assert.Equal(["second: stuck"], left);
    }

    [Fact]
    public async Task What_was_kept_is_not_undone()
    {
        var stack = new UndoStack();
        stack.Push("kept", () => throw new IOException("undone"));

        stack.Keep();

        Assert.Empty(await stack.UnwindAsync());
    }
}
