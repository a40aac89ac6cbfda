namespace Carrel.Machines.Undo;

/// <summary>
/// Remembers how to give back each thing acquired on the host, in the moment it is acquired. Undoing runs newest first and
/// goes on past failures: one thing that cannot be given back must not keep the others. What is left is for the sweep.
/// </summary>
internal sealed class UndoStack
{
    private readonly Stack<(string What, Func<Task> Undo)> _steps = new();

    internal void Push(string what, Action undo) => Push(what, () =>
    {
        undo();
        return Task.CompletedTask;
    });

    internal void Push(string what, Func<Task> undo) => _steps.Push((what, undo));

    /// <summary>What was acquired belongs to somebody else now.</summary>
    internal void Keep() => _steps.Clear();

    /// <summary>Gives everything back; returns what could not be, with the reason.</summary>
    internal async Task<IReadOnlyList<string>> UnwindAsync()
    {
        var left = new List<string>();
        while (_steps.TryPop(out var step))
        {
            try
            {
                await step.Undo().ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                left.Add($"{step.What}: {e.Message}");
            }
        }

        return left;
    }
}
