/**
 * The value that would stand at `place` if these were in order, by quickselect with the median of three (Hoare 1961): the
 * mean cost is linear. What stands before it afterwards is not larger, what stands behind it not smaller.
 */
export function nthSmallest(values: Float64Array, place: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = medianOfThree(values, low, high);
    let left = low;
    let right = high;
    while (left <= right) {
      while ((values[left] as number) < pivot) left++;
      while ((values[right] as number) > pivot) right--;
      if (left > right) break;
      const swapped = values[left] as number;
      values[left++] = values[right] as number;
      values[right--] = swapped;
    }
    if (place <= right) high = right;
    else if (place >= left) low = left;
    else break;
  }
  return values[place] as number;
}

function medianOfThree(values: Float64Array, low: number, high: number): number {
  const [a, b, c] = [values[low], values[(low + high) >> 1], values[high]] as [number, number, number];
  return a < b ? (b < c ? b : a < c ? c : a) : a < c ? a : b < c ? c : b;
}
